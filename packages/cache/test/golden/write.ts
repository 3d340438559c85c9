import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { goldenCases, writeGolden } from './cases.js'

for (const golden of goldenCases) {
  const path = join(import.meta.dirname, golden.file)
  if (!existsSync(path)) writeFileSync(path, writeGolden(golden))
}
