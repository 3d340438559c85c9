/**
 * Secrets that travel inside text: the password of a URL, and query parameters that carry one.
 *
 * Works on any text, so it is the last gate before a line leaves the process: a driver that puts its connection
 * string into an error message is covered as well. It errs on the side of hiding too much.
 */
const URL_PASSWORD = /(:\/\/[^\s:@/"'\\]*):[^\s"'\\]*@/g
const QUERY_SECRET = /([?&](?:password|passwd|pwd|secret|token|access_token|api_?key)=)[^&\s"'\\]+/gi

/** `redis://user:hunter2@host` becomes `redis://user:[redacted]@host`. */
export function redactText(text: string): string {
  const urls = text.includes('@') ? text.replace(URL_PASSWORD, '$1:[redacted]@') : text
  return urls.includes('=') ? urls.replace(QUERY_SECRET, '$1[redacted]') : urls
}
