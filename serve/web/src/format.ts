/** Numbers as people read them. */

export const UNKNOWN = "–";

const cache = new Map<string, Intl.NumberFormat>();

function fixed(decimals: number, sign: boolean): Intl.NumberFormat {
  const key = `${decimals}${sign}`;
  let format = cache.get(key);
  if (!format) {
    format = new Intl.NumberFormat("en", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      signDisplay: sign ? "exceptZero" : "negative",
    });
    cache.set(key, format);
  }
  return format;
}

export function number(value: number | null | undefined, decimals = 2): string {
  return value == null ? UNKNOWN : fixed(decimals, false).format(value).replace("-", "−");
}

export function signed(value: number | null | undefined, decimals = 2): string {
  return value == null ? UNKNOWN : fixed(decimals, true).format(value).replace("-", "−");
}

export function percent(value: number | null | undefined, decimals = 0): string {
  return value == null ? UNKNOWN : `${fixed(decimals, false).format(100 * value)} %`;
}

/** Decimals a price is quoted in: the most that any of the given ones needs. */
export function decimalsOf(prices: number[]): number {
  let most = 0;
  for (const price of prices) {
    const tail = String(price).split(".")[1]?.length ?? 0;
    most = Math.max(most, Math.min(tail, 5));
  }
  return most;
}

export function clock(seconds: number): string {
  return seconds > 0 ? new Date(1000 * seconds).toISOString().slice(11, 19) : UNKNOWN;
}

export function day(seconds: number): string {
  return seconds > 0 ? new Date(1000 * seconds).toISOString().slice(0, 10) : "";
}

export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes ? `${minutes} min ${String(whole % 60).padStart(2, "0")} s` : `${whole} s`;
}

export const direction = (value: number): "up" | "down" | "flat" =>
  value > 0 ? "up" : value < 0 ? "down" : "flat";
