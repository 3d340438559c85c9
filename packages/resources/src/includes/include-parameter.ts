/** `include=brand,category`: sorted, each name once, so that one set of names has one spelling in canonical URLs. */

/** The names that `text` gives, sorted; undefined unless it is one or more of `allowed`, each at most once. */
export function parseInclude(allowed: readonly string[], text: string): readonly string[] | undefined {
  const names = text.split(',')
  const isKnown = names.every((name) => allowed.includes(name))
  return isKnown && new Set(names).size === names.length ? names.sort() : undefined
}

/** Letters, digits and commas: nothing that a URL would spell otherwise. */
export const formatInclude = (include: readonly string[]): string => include.join(',')

export const describeInclude = (allowed: readonly string[]): string =>
  `one or more of ${allowed.join(', ')}, each once, separated by commas`

/** For documentation: what {@link parseInclude} takes, but for names given twice. */
export function includePattern(allowed: readonly string[]): RegExp {
  const one = `(${allowed.join('|')})`
  return new RegExp(`^${one}(,${one})*$`)
}
