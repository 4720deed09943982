import type { SymbolState } from "../api";
import { useWords, verdictWord } from "../words";
import { Verdict } from "./Verdict";

/** What the gate says about the floor as a whole, before anything that looks like profit. */
export function Banner({ symbols }: { symbols: SymbolState[] }) {
  const words = useWords();
  const tally = new Map<string, number>();
  for (const entry of symbols) tally.set(entry.verdict, (tally.get(entry.verdict) ?? 0) + 1);
  const passed = tally.get("edge") ?? 0;
  const kind = passed ? "edge" : tally.get("not judged") === symbols.length ? "waiting" : "none";
  const title = {
    edge: `${passed} / ${symbols.length} ${words.someEdge}`,
    none: tally.get("no edge") === symbols.length ? words.noEdge : words.nonePassed,
    waiting: words.notJudged,
  }[kind];
  const counts = [...tally].map(([verdict, count]) => `${count} ${verdictWord(verdict, words)}`);
  const reasoned = symbols.filter((entry) => entry.verdict_reasons.length > 0);
  return (
    <section className={`banner banner-${kind}`} aria-label={words.gate}>
      <p>
        <strong>{title}</strong>
        {kind !== "waiting" && (
          <span>
            {words.tally} {counts.join(", ")}.
          </span>
        )}
      </p>
      {reasoned.length > 0 && (
        <details>
          <summary>{words.why}</summary>
          <div className="reasons-grid">
            {reasoned.map((entry) => (
              <article key={entry.symbol} aria-label={verdictWord(entry.verdict, words)}>
                <h3>
                  {entry.symbol} <Verdict verdict={entry.verdict} />
                </h3>
                <ul className="reasons">
                  {entry.verdict_reasons.map((reason) => (
                    <li key={reason}>{reason}</li>
                  ))}
                </ul>
              </article>
            ))}
          </div>
        </details>
      )}
    </section>
  );
}
