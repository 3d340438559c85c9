/**
 * When what is bypassed is tried again by all processes at once.
 *
 * A process sees only its own uses. If it alone stored one value in so many, another process, bypassing too, would hardly
 * ever look, and what they could share would stay hidden from both. So beside each process's own count there are slots of
 * time, cut by the wall clock and laid out by name, in which every process treats a name as if it were not bypassed. Clocks
 * that differ make the common part of the slot shorter, and nothing else.
 */

import { hashTag } from '@tidemark/tide'

export const slotMs = 5_000
export const slotsInRound = 16

const seed = 0

export function isProbeSlot(name: string, wallMs: number): boolean {
  const hash = new Uint32Array(2)
  hashTag(name, seed, hash)
  return (Math.floor(wallMs / slotMs) + hash[0]!) % slotsInRound === 0
}
