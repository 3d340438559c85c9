/** How a load is done: all the way, or past L2. */
export type Route = 'full' | 'bypass'
