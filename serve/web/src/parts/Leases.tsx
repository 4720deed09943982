import type { Risk } from "../api";
import { number } from "../format";
import { useWords } from "../words";
import { Condition } from "./Bars";

/** The portfolio's limit, what is promised out of it, and what each symbol uses of its promise. */
export function Leases({ risk }: { risk: Risk }) {
  const words = useWords();
  const most = Math.max(risk.limit_notional, 1);
  return (
    <section className="panel leases" aria-label={words.leases}>
      <header className="panel-head">
        <h2>{words.leases}</h2>
        <Condition state={risk.state} always />
      </header>
      <div className="pool" aria-hidden="true">
        {risk.leases.map((lease) => (
          <span key={lease.symbol} className="pool-lease" style={{ width: `${(100 * lease.notional) / most}%` }}>
            <i style={{ width: `${lease.notional > 0 ? (100 * lease.used) / lease.notional : 0}%` }} />
          </span>
        ))}
      </div>
      <p className="pool-text">
        <span>
          <i className="key key-used" /> {words.used} {number(risk.used_notional, 0)}
        </span>
        <span>
          <i className="key key-granted" /> {words.granted} {number(risk.granted_notional, 0)}
        </span>
        <span>
          <i className="key key-limit" /> {words.limit} {number(risk.limit_notional, 0)}
        </span>
      </p>
      <ul className="lease-list">
        {risk.leases.map((lease) => (
          <li key={lease.symbol}>
            <span>{lease.symbol}</span>
            <Condition state={lease.state} />
            <span className="mono">
              {number(lease.used, 0)} <span className="muted">/ {number(lease.notional, 0)}</span>
            </span>
          </li>
        ))}
      </ul>
      {risk.reasons.map((reason) => (
        <p key={reason} className="risk-reason">
          {reason}
        </p>
      ))}
    </section>
  );
}
