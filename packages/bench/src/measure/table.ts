import type { Figure } from './figure.js'

type Unit = '/s' | 'ms' | 'B' | 'calls' | '%'

interface Column {
  readonly title: string
  readonly unit: Unit
  /** Less is better, and it hardly heeds what else the machine does: it has a ratio of its own. */
  readonly isCpu?: boolean
}

export interface Row {
  readonly who: string
  readonly isUs?: boolean
  /** In the order of the columns; words where there is no figure. */
  readonly figures: readonly (Figure | string)[]
  /** Why the figures do not count. */
  readonly invalid?: string | undefined
}

export interface Table {
  readonly title: string
  /** The first one is what ratios are made of. */
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** Whether more of the first column is better. */
  readonly isMoreBetter: boolean
}

const share = (value: number): string => `±${Math.round(value * 50)} %`

/** 12.3 M/s, 139 k/s; 80 ns, 145 µs, 1.65 ms; 1,556 B. */
function format(value: number, unit: Unit): string {
  switch (unit) {
    case '/s':
      if (value >= 1e6) return `${(value / 1e6).toFixed(value >= 1e7 ? 1 : 2)} M/s`
      return value >= 1e3 ? `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)} k/s` : `${value.toFixed(0)} /s`
    case 'ms':
      if (value >= 1) return `${value.toPrecision(3)} ms`
      if (value >= 0.1) return `${Math.round(value * 1e3)} µs`
      return value >= 1e-3 ? `${(value * 1e3).toPrecision(3)} µs` : `${Math.round(value * 1e6)} ns`
    case 'B':
      return `${Math.round(value).toLocaleString('en')} B`
    case 'calls':
      return String(value)
    case '%':
      return (value * 100).toFixed(1)
  }
}

function cell(figure: Figure | string, unit: Unit): string {
  if (typeof figure === 'string') return figure
  const text = format(figure.median, unit)
  return figure.spread === 0 ? text : `${text} ${share(figure.spread)}`
}

function ratio(row: Row, us: Row | undefined, column: number): string {
  const [ours, theirs] = [us?.figures[column], row.figures[column]]
  if (row === us) return ''
  if (typeof ours !== 'object' || typeof theirs !== 'object' || row.invalid !== undefined) return '–'
  return `${(ours.median / theirs.median).toPrecision(2)} ×`
}

/** A Markdown table. The spread is half the way between the best and the worst round. */
export function markdown({ title: heading, columns, rows, isMoreBetter }: Table): string {
  const us = rows.find((row) => row.isUs === true && row.invalid === undefined)
  const cpu = columns.findIndex((column) => column.isCpu === true)
  const ratios = [
    { column: 0, title: `us ÷ it (${isMoreBetter ? 'more' : 'less'} is better)` },
    ...(cpu < 0 ? [] : [{ column: cpu, title: 'in CPU (less is better)' }]),
  ]
  const lines = [
    ['', ...columns.map((column) => column.title), ...ratios.map(({ title }) => title)],
    ['---', ...columns.map(() => '---:'), ...ratios.map(() => '---:')],
    ...rows.map((row) => [
      row.isUs === true ? `**${row.who}**` : row.who,
      ...(row.invalid === undefined
        ? row.figures.map((figure, i) => cell(figure, columns[i]!.unit))
        : [`invalid: ${row.invalid}`, ...columns.slice(1).map(() => '')]),
      ...ratios.map(({ column }) => ratio(row, us, column)),
    ]),
  ]
  return [`### ${heading}`, '', ...lines.map((cells) => `| ${cells.join(' | ')} |`), ''].join('\n')
}
