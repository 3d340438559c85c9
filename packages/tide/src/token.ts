/** A position handed to a client, so that it can ask for "at least as fresh as this". */
export interface Token {
  readonly term: number
  readonly position: number
}

const shape = /^(\d{1,10})-(\d{1,16})$/

/** `{ term: 1, position: 4711 }` → `1-4711`. */
export const formatToken = (token: Token): string => `${token.term}-${token.position}`

/** The token that `text` spells, or undefined where it spells none. */
export function parseToken(text: string): Token | undefined {
  const match = shape.exec(text)
  if (match === null) return undefined
  const term = Number(match[1])
  const position = Number(match[2])
  return Number.isSafeInteger(position) ? { term, position } : undefined
}

/** Whether `a` asks for no more than `b` gives: an older term counts as met once a newer one is followed. */
export const isCoveredBy = (a: Token, b: Token): boolean =>
  a.term < b.term || (a.term === b.term && a.position <= b.position)
