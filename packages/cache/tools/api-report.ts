import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { IConfigFile } from '@microsoft/api-extractor'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

import { packageFolder } from './manifest.js'

const { None, Error: isError } = ExtractorLogLevel

/** Compares the report of one entry point with the declarations built, or writes it; gives what is wrong. */
export async function problemsOfReport(
  name: string,
  declarations: string,
  doesRenew: boolean,
): Promise<string[]> {
  const mainEntryPointFilePath = join(packageFolder, declarations)
  if (!existsSync(mainEntryPointFilePath)) return [`${declarations} is not there: pnpm build`]
  const reportTempFolder = join(packageFolder, 'node_modules/.cache/api')
  const reportFolder = join(packageFolder, 'api')
  for (const folder of [reportFolder, reportTempFolder]) await mkdir(folder, { recursive: true })
  const configObject: IConfigFile = {
    projectFolder: packageFolder,
    mainEntryPointFilePath,
    compiler: { tsconfigFilePath: join(packageFolder, 'tsconfig.build.json') },
    newlineKind: 'lf',
    apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder, reportTempFolder },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: isError } },
      extractorMessageReporting: {
        default: { logLevel: None },
        'ae-forgotten-export': { logLevel: None, addToApiReportFile: true },
      },
      tsdocMessageReporting: { default: { logLevel: None } },
    },
  }
  const problems: string[] = []
  const { apiReportChanged } = Extractor.invoke(
    ExtractorConfig.prepare({
      configObject,
      configObjectFullPath: undefined,
      packageJsonFullPath: join(packageFolder, 'package.json'),
    }),
    {
      localBuild: doesRenew,
      messageCallback: (message) => {
        if (message.logLevel === isError) problems.push(`${name}: ${message.text}`)
        message.handled = true
      },
    },
  )
  if (apiReportChanged && !doesRenew)
    problems.push(`api/${name}.api.md is not what the sources say: run pnpm api, and look at what it changes`)
  return problems
}
