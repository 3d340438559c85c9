/** What the command `migrate-main` needs from the environment. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): { readonly url: string } {
  const url = env['DATABASE_URL']
  if (!url) throw new Error('DATABASE_URL is not set: give it as postgres://user:password@host:5432/name')
  return { url }
}
