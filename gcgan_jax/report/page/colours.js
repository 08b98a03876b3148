/** Colours of the style sheet, for canvases; they differ between light and dark. */

export const GROUPS = 8; // colours of groups: Okabe and Ito 2008, safe for colour-blind readers
const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

/** The present value of a colour such as "ink". */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The name of a group's colour. */
export function groupColour(group) {
  return `group-${group % GROUPS}`;
}

/** The dashes of a group's lines: other ones where the colours repeat. */
export function groupDashes(group) {
  return DASHES[Math.floor(group / GROUPS) % DASHES.length];
}

/** Call a function whenever the colours change. */
export function onColourChange(change) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", change);
}
