import type { ReactNode } from "react";
import type { SymbolState } from "../api";
import { direction, number, percent, signed, UNKNOWN } from "../format";
import { useWords } from "../words";
import { exposureText, WORD } from "./Bars";
import { Verdict } from "./Verdict";

/** Everything one symbol actor reports about itself. */
export function Detail({ entry, decimals }: { entry: SymbolState; decimals: number }) {
  const words = useWords();
  return (
    <section className="panel detail" aria-label={entry.symbol}>
      <header className="panel-head">
        <h2>{words.prediction}</h2>
        <span className="muted mono">{entry.model_version || UNKNOWN}</span>
      </header>
      <Forecast entry={entry} />
      <dl className="facts">
        <Fact name={words.position}>
          <span className={`text-${direction(entry.exposure)}`}>{exposureText(entry.exposure, words)}</span>
        </Fact>
        <Fact name={words.entry}>{number(entry.entry_price, decimals)}</Fact>
        <Fact name={words.units}>{signed(entry.units, 4)}</Fact>
        <Fact name={words.pnl}>
          <span className={`text-${direction(entry.pnl)}`}>{signed(entry.pnl)}</span>
        </Fact>
        <Fact name={words.fees}>{number(entry.fees)}</Fact>
        <Fact name={words.orders}>
          {number(entry.orders, 0)} / {number(entry.trades, 0)}
        </Fact>
        <Fact name={words.disagreement}>{number(entry.disagreement, 3)}</Fact>
        <Fact name={words.volatility}>
          {entry.volatility === null ? UNKNOWN : `${number(1e4 * entry.volatility, 2)} bp`}
        </Fact>
        <Fact name={words.latency}>
          {number(entry.latency_p50_ms, 1)} / {number(entry.latency_p99_ms, 1)} ms
        </Fact>
        <Fact name={words.events}>
          {number(entry.events, 0)} / {number(entry.decisions, 0)}
        </Fact>
        <Fact name={words.reconnects}>
          {entry.reconnects} / {entry.gaps}
        </Fact>
        <Fact name={words.restarts}>{entry.restarts}</Fact>
        <Fact name={words.process}>
          {entry.pid || UNKNOWN} · {number(entry.memory_mb, 0)} MB
        </Fact>
        <Fact name={words.policy}>{entry.policy_version || entry.policy || UNKNOWN}</Fact>
      </dl>
      <div className="detail-gate">
        <h3>
          {words.gate} <Verdict verdict={entry.verdict} />
        </h3>
        <ul className="reasons">
          {entry.verdict_reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Forecast({ entry }: { entry: SymbolState }) {
  const words = useWords();
  const chances = entry.probabilities;
  if (!chances) return <p className="muted forecast-none">{words.warming}</p>;
  return (
    <div className="forecast">
      {(["down", "flat", "up"] as const).map((name) => (
        <div key={name} className="forecast-class">
          <span className="forecast-share">{percent(chances[name], 1)}</span>
          <span className="forecast-track">
            <i className={`fill-${name}`} style={{ height: `${100 * chances[name]}%` }} />
          </span>
          <span className="forecast-name">{words[WORD[name]]}</span>
        </div>
      ))}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
