/** What each symbol has done lately: the server's history first, then the stream's frames. */

import { useEffect, useRef, useState } from "react";
import { fetchHistory, seconds, type Floor, type History } from "./api";

export interface Point {
  /** Seconds since 1970 UTC, venue time. */
  time: number;
  price: number;
  exposure: number;
  equity: number;
}

export interface Track {
  points: Point[];
  /** Goes up when older points changed, so that a chart must be drawn anew. */
  revision: number;
}

export type Tracks = ReadonlyMap<string, Track>;

const MOST = 3_000;

function unpack(history: History): Point[] {
  const points: Point[] = [];
  history.time.forEach((time, i) => {
    const price = history.price[i];
    if (price == null) return;
    points.push({
      time: seconds(time),
      price,
      exposure: history.exposure[i] ?? 0,
      equity: history.equity[i] ?? 0,
    });
  });
  return points;
}

/** Put the fetched points before the newer ones that the stream has brought meanwhile. */
function merge(fetched: Point[], streamed: Point[]): Point[] {
  const last = fetched.at(-1)?.time ?? -Infinity;
  return [...fetched, ...streamed.filter((point) => point.time > last)].slice(-MOST);
}

export function useTracks(floor: Floor | null, session: number): Tracks {
  const tracks = useRef(new Map<string, Track>());
  const [, redraw] = useState(0);
  const names = floor?.symbols.map((entry) => entry.symbol).join(" ") ?? "";

  useEffect(() => {
    let gone = false;
    for (const symbol of names ? names.split(" ") : []) {
      fetchHistory(symbol)
        .then((history) => {
          if (gone) return;
          const before = tracks.current.get(symbol);
          tracks.current.set(symbol, {
            points: merge(unpack(history), before?.points ?? []),
            revision: (before?.revision ?? 0) + 1,
          });
          redraw((count) => count + 1);
        })
        .catch(() => undefined); // The stream goes on without the past, and the next session asks again.
    }
    return () => {
      gone = true;
    };
  }, [names, session]);

  for (const entry of floor?.symbols ?? []) {
    if (entry.price === null || entry.time === 0) continue;
    const track = tracks.current.get(entry.symbol) ?? { points: [], revision: 0 };
    tracks.current.set(entry.symbol, track);
    const time = seconds(entry.time);
    if (time <= (track.points.at(-1)?.time ?? -Infinity)) continue;
    track.points.push({
      time,
      price: entry.price,
      exposure: entry.exposure,
      equity: entry.equity,
    });
    if (track.points.length > 1.2 * MOST) {
      track.points = track.points.slice(-MOST);
      track.revision += 1;
    }
  }
  return tracks.current;
}

/** Sum of the symbols' equity whenever one of them changed; starts once all of them are known. */
export function portfolio(tracks: Tracks): { time: number; value: number }[] {
  const all = [...tracks.values()].filter((track) => track.points.length > 0);
  const times = [...new Set(all.flatMap((track) => track.points.map((point) => point.time)))];
  times.sort((a, b) => a - b);
  const at = all.map(() => -1);
  const sums: { time: number; value: number }[] = [];
  for (const time of times) {
    let value = 0;
    let complete = true;
    all.forEach((track, i) => {
      let row = at[i] ?? -1;
      while ((track.points[row + 1]?.time ?? Infinity) <= time) row += 1;
      at[i] = row;
      const point = track.points[row];
      if (point) value += point.equity;
      else complete = false;
    });
    if (complete) sums.push({ time, value });
  }
  return sums;
}
