import { isPortFree } from '../stores/free-port.js'
import { InfraError } from '../stores/store.js'
import { portVariable, SERVICES } from './settings.js'
import type { ServiceName } from './settings.js'

/** Looks before anything is started, so that a taken port costs nothing. @throws InfraError `port_taken` */
export async function checkPorts(ports: Readonly<Record<ServiceName, number>>): Promise<void> {
  for (const service of SERVICES) {
    const port = ports[service]
    if (await isPortFree(port)) continue
    const variable = portVariable(service)
    const other = `${variable}=${String(port < 60_000 ? port + 100 : port - 100)} npm start`
    throw new InfraError(
      'port_taken',
      `port ${String(port)} for the ${service} service (${variable}) is taken: free it, or choose another: ${other}`,
    )
  }
}
