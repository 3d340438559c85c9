/** A table of words, not of figures: rows are questions, columns are who was asked. */
export interface Verdicts {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly title: string; readonly cells: readonly string[] }[]
}

const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

export function verdictsMarkdown({ title, columns, rows }: Verdicts): string {
  const lines = [
    ['', ...columns],
    ['---', ...columns.map(() => '---')],
    ...rows.map((row) => [row.title, ...row.cells].map(escape)),
  ]
  return [`### ${title}`, '', ...lines.map((cells) => `| ${cells.join(' | ')} |`), ''].join('\n')
}
