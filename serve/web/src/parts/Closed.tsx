import type { Live } from "../stream";
import { useWords } from "../words";
import { Mark } from "./Mark";

/** Shown while there has been nothing to show: the floor or the server is not there yet. */
export function Closed({ live }: { live: Live }) {
  const words = useWords();
  const waiting = live.link === "connecting";
  return (
    <main className="closed">
      <Mark size={72} />
      <h1>{waiting ? words.waiting : words.closed}</h1>
      <p>{waiting ? "" : live.frame?.trouble}</p>
      <p className="muted">
        {words.closedHow.split("`").map((part, i) => (i % 2 ? <code key={part}>{part}</code> : part))}
      </p>
    </main>
  );
}
