import { createRegistry } from '../registry.js'
import { brands } from './brands.js'
import { categories } from './categories.js'
import { products } from './products.js'

/** Every resource that the services serve. A new one is added here. */
export const catalogue = createRegistry([categories, brands, products])

export { Brand, brands } from './brands.js'
export { Category, categories } from './categories.js'
export { Product, products } from './products.js'
