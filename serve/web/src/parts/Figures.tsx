import type { ReactNode } from "react";
import type { Floor } from "../api";
import { direction, duration, number, signed } from "../format";
import { useWords } from "../words";
import { Condition, Meter } from "./Bars";

/** The floor in five numbers. */
export function Figures({ floor }: { floor: Floor }) {
  const words = useWords();
  const fees = floor.symbols.reduce((sum, entry) => sum + entry.fees, 0);
  const trades = floor.symbols.reduce((sum, entry) => sum + entry.trades, 0);
  const latencies = floor.symbols.flatMap((entry) => entry.latency_p99_ms ?? []);
  const start = floor.equity - floor.pnl;
  const { risk } = floor;
  return (
    <section className="figures" aria-label={words.equity}>
      <Figure name={words.equity} value={number(floor.equity)}>
        {words.uptime} {duration(floor.uptime)}
      </Figure>
      <Figure name={words.pnl} value={signed(floor.pnl)} tone={direction(floor.pnl)}>
        {start > 0 ? `${signed((100 * floor.pnl) / start, 3)} %` : ""}
      </Figure>
      <Figure name={words.costs} value={number(fees)}>
        {number(trades, 0)} {words.trades}
      </Figure>
      <Figure name={words.risk} value={number(risk.used_notional, 0)} badge={<Condition state={risk.state} always />}>
        <Meter value={risk.used_notional} most={risk.limit_notional} label={words.risk} />
        <span className="after-meter">
          {words.ofLimit} {number(risk.limit_notional, 0)}
        </span>
      </Figure>
      <Figure
        name={words.decision}
        value={latencies.length ? `${number(Math.max(...latencies), 1)} ms` : number(null)}
      >
        {number(
          floor.symbols.reduce((sum, entry) => sum + entry.decisions, 0),
          0,
        )}{" "}
        {words.decisions} · {floor.symbols.length} {words.symbols.toLowerCase()}
      </Figure>
    </section>
  );
}

interface Props {
  name: string;
  value: string;
  tone?: string;
  badge?: ReactNode;
  children?: ReactNode;
}

function Figure({ name, value, tone = "", badge, children }: Props) {
  return (
    <div className="figure">
      <h2>
        {name} {badge}
      </h2>
      <p className={`figure-value ${tone && `text-${tone}`}`}>{value}</p>
      <div className="figure-note">{children}</div>
    </div>
  );
}
