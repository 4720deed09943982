import { useRef, type KeyboardEvent } from "react";
import type { SymbolState } from "../api";
import { decimalsOf, direction, number, signed } from "../format";
import type { Tracks } from "../tracks";
import { useWords } from "../words";
import { Condition, ExposureBar, exposureText, LeaseBar, Likeliest, ProbabilityBar } from "./Bars";
import { Spark } from "./Spark";
import { Verdict } from "./Verdict";

interface Props {
  symbols: SymbolState[];
  tracks: Tracks;
  selected: string;
  onSelect: (symbol: string) => void;
}

const SPARK_POINTS = 120;

/** A row a symbol; the arrow keys walk through them. On a narrow screen each row is a card. */
export function SymbolTable({ symbols, tracks, selected, onSelect }: Props) {
  const words = useWords();
  const body = useRef<HTMLTableSectionElement>(null);

  const walk = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = symbols.findIndex((entry) => entry.symbol === selected);
    const next = symbols[(at + step + symbols.length) % symbols.length];
    if (!next) return;
    onSelect(next.symbol);
    body.current?.querySelector<HTMLButtonElement>(`[data-symbol="${CSS.escape(next.symbol)}"]`)?.focus();
  };

  return (
    <section className="panel table-panel" aria-label={words.symbols}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.symbol}</th>
            <th scope="col" className="cell-trend">
              {words.trend}
            </th>
            <th scope="col" className="right">
              {words.price}
            </th>
            <th scope="col">{words.prediction}</th>
            <th scope="col">{words.position}</th>
            <th scope="col" className="right">
              {words.pnl}
            </th>
            <th scope="col">{words.lease}</th>
            <th scope="col" className="cell-latency right">
              {words.latency}
            </th>
            <th scope="col">{words.verdict}</th>
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={walk}>
          {symbols.map((entry) => (
            <Row
              key={entry.symbol}
              entry={entry}
              prices={(tracks.get(entry.symbol)?.points ?? []).slice(-SPARK_POINTS).map((point) => point.price)}
              selected={entry.symbol === selected}
              onSelect={() => onSelect(entry.symbol)}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  entry: SymbolState;
  prices: number[];
  selected: boolean;
  onSelect: () => void;
}

function Row({ entry, prices, selected, onSelect }: RowProps) {
  const words = useWords();
  const moved = direction((prices.at(-1) ?? 0) - (prices.at(-2) ?? prices.at(-1) ?? 0));
  const decimals = decimalsOf(prices.slice(-20));
  return (
    <tr className={selected ? "selected" : ""} onClick={onSelect}>
      <th scope="row" className="cell-symbol">
        <button
          type="button"
          data-symbol={entry.symbol}
          aria-pressed={selected}
          tabIndex={selected ? 0 : -1}
          onClick={onSelect}
        >
          {entry.symbol}
        </button>
        <small>{entry.policy}</small>
      </th>
      <td className="cell-trend">
        <Spark values={prices} />
      </td>
      <td className="cell-price right">
        {/* A new key restarts the flash. */}
        <span key={entry.price} className={`price flash-${moved}`}>
          {number(entry.price, decimals)}
        </span>
      </td>
      <td className="cell-prediction" data-label={words.prediction}>
        {entry.probabilities ? (
          <span className="pair">
            <ProbabilityBar value={entry.probabilities} />
            <Likeliest value={entry.probabilities} />
          </span>
        ) : (
          <span className="muted">{words.warming}</span>
        )}
      </td>
      <td className="cell-position" data-label={words.position}>
        <span className="pair">
          <ExposureBar value={entry.exposure} />
          <span className={`text-${direction(entry.exposure)}`}>{exposureText(entry.exposure, words)}</span>
        </span>
      </td>
      <td className="cell-pnl right" data-label={words.pnl}>
        <span className={`text-${direction(entry.pnl)}`}>{signed(entry.pnl)}</span>
      </td>
      <td className="cell-lease" data-label={words.lease}>
        <span className="pair">
          <LeaseBar entry={entry} />
          <span>
            {number(entry.lease_used, 0)} <Condition state={entry.lease_state} />
          </span>
        </span>
      </td>
      <td className="cell-latency right" data-label={words.latency}>
        <span>
          {number(entry.latency_p50_ms, 1)} <span className="muted">/ {number(entry.latency_p99_ms, 1)} ms</span>
        </span>
      </td>
      <td className="cell-verdict" data-label={words.verdict}>
        <Verdict verdict={entry.verdict} />
      </td>
    </tr>
  );
}
