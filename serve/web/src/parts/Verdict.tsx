import { useWords, verdictWord } from "../words";

const KINDS: Record<string, string> = { edge: "edge", "no edge": "none", inconclusive: "unsure", suspicious: "none" };

/** The gate's word on one model. */
export function Verdict({ verdict }: { verdict: string }) {
  const words = useWords();
  return (
    <span className={`verdict verdict-${KINDS[verdict] ?? "waiting"}`}>
      {verdictWord(verdict, words)}
    </span>
  );
}
