/** How a race ended. `saw`: what was seen, in a few words; for a skipped one why it was not run. */
export type Verdict = { readonly passed: boolean; readonly saw: string } | { readonly skipped: string }

export const kept = (saw: string): Verdict => ({ passed: true, saw })

export const broken = (saw: string): Verdict => ({ passed: false, saw })

export const notOffered = (why: string): Verdict => ({ skipped: why })
