/** Command: says what is wrong with the capture of the database named by DATABASE_URL, and what mends it. Exit code 1 on any. */
import { createPool } from '@tidemark/database'

import { checkCapture } from './capture/check-capture.js'
import { readDoctorConfig } from './capture/config.js'
import { catalogue } from './catalogue/index.js'

try {
  const pool = createPool({ url: readDoctorConfig().url, name: 'tidemark-doctor', maxConnections: 1 })
  try {
    const findings = await checkCapture((text, values) => pool.query(text, values), catalogue.all)
    for (const { severity, message } of findings) console.log(`${severity}: ${message}`)
    if (findings.length === 0)
      console.log(`doctor: the changes of all ${catalogue.all.length} resources are captured`)
    else process.exitCode = 1
  } finally {
    await pool.end()
  }
} catch (error) {
  console.error(`doctor: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
