/** Numbers as text. */

/** Three significant digits, without an exponent where that stays short. */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 1000 ? 4 : 3))).replace("-", "−");
}

/** A whole number with separated thousands. */
export function whole(value) {
  return Math.round(value).toLocaleString("en");
}
