/** Small bars that show a number's place between its limits. */

import type { Probabilities, SymbolState } from "../api";
import { number, percent } from "../format";
import { stateWord, useWords } from "../words";

/** A class of the label, and the word for it: a price that stays is not a position that is flat. */
export const WORD = { down: "down", flat: "steady", up: "up" } as const;

/** Three shares of one bar: down, flat, up. */
export function ProbabilityBar({ value }: { value: Probabilities }) {
  const words = useWords();
  const text = (["down", "flat", "up"] as const)
    .map((name) => `${words[WORD[name]]} ${percent(value[name])}`)
    .join(", ");
  return (
    <span className="shares" role="img" aria-label={text} title={text}>
      <i className="fill-down" style={{ flexGrow: value.down }} />
      <i className="fill-flat" style={{ flexGrow: value.flat }} />
      <i className="fill-up" style={{ flexGrow: value.up }} />
    </span>
  );
}

/** The likeliest class, with its share. */
export function Likeliest({ value }: { value: Probabilities }) {
  const best = Math.max(value.down, value.flat, value.up);
  const [name, sign] =
    best === value.flat ? ["flat", "■"] : best === value.up ? ["up", "▲"] : ["down", "▼"];
  return (
    <span className="likeliest">
      <i className={`sign text-${name}`} aria-hidden="true">
        {sign}
      </i>
      {percent(best)}
    </span>
  );
}

/** Exposure from −1 to 1, drawn from the middle. */
export function ExposureBar({ value }: { value: number }) {
  const size = Math.min(Math.abs(value), 1) * 50;
  return (
    <span className="middle" aria-hidden="true">
      <i
        className={value < 0 ? "fill-down" : "fill-up"}
        style={{ width: `${size}%`, left: value < 0 ? `${50 - size}%` : "50%" }}
      />
    </span>
  );
}

export function exposureText(value: number, words: { long: string; short: string; flat: string }) {
  if (value === 0) return words.flat;
  return `${value > 0 ? words.long : words.short} ${number(Math.abs(value))}`;
}

/** A part of a whole, and what it is called. */
export function Meter({ value, most, label }: { value: number; most: number; label: string }) {
  const share = most > 0 ? Math.min(value / most, 1) : 0;
  return (
    <span
      className={share > 0.9 ? "meter meter-full" : "meter"}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={most}
      aria-valuenow={value}
      aria-valuetext={`${number(value, 0)} / ${number(most, 0)}`}
    >
      <i style={{ width: `${100 * share}%` }} />
    </span>
  );
}

export function LeaseBar({ entry }: { entry: SymbolState }) {
  const words = useWords();
  return (
    <Meter
      value={entry.lease_used}
      most={entry.lease_notional}
      label={`${words.lease}, ${entry.symbol}`}
    />
  );
}

/** A lease or risk state, shown where it isn't the ordinary one. */
export function Condition({ state, always = false }: { state: string; always?: boolean }) {
  const words = useWords();
  if (state === "RUNNING" && !always) return null;
  const kind = state === "RUNNING" ? "ok" : state === "HALTED" ? "bad" : "warn";
  return <span className={`state state-${kind}`}>{stateWord(state, words)}</span>;
}
