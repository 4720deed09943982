/** Price above, exposure below, a mark where the position changed, a line where it was entered. */

import { useEffect, useRef } from "react";
import {
  AreaSeries,
  createSeriesMarkers,
  HistogramSeries,
  LineStyle,
  LineType,
  type IPriceLine,
  type SeriesMarker,
  type Time,
} from "lightweight-charts";
import { decimalsOf } from "../format";
import type { Theme } from "../settings";
import type { Point, Track } from "../tracks";
import { useWords } from "../words";
import { at, colour, useChart } from "./chart";

interface Props {
  symbol: string;
  track: Track | undefined;
  entryPrice: number | null;
  exposure: number;
  theme: Theme;
}

/** Only the latest changes are marked: a chart of arrows alone shows nothing. */
const MOST_MARKS = 40;
const VISIBLE = 300;
/** Change of exposure that is a trade; the smallest step a policy can ask for is ten times this. */
const TRADED = 0.05;

function marks(points: Point[]): SeriesMarker<Time>[] {
  const found: SeriesMarker<Time>[] = [];
  for (let i = points.length - 1; i > 0 && found.length < MOST_MARKS; i -= 1) {
    const [before, now] = [points[i - 1], points[i]];
    // A held position's exposure drifts with the price; a trade moves it by more.
    if (!before || !now || Math.abs(now.exposure - before.exposure) < TRADED) continue;
    const more = now.exposure > before.exposure;
    found.push({
      time: at(now.time),
      position: more ? "belowBar" : "aboveBar",
      shape: now.exposure === 0 ? "circle" : more ? "arrowUp" : "arrowDown",
      color: now.exposure === 0 ? colour("--muted") : colour(more ? "--up" : "--down"),
      size: now.exposure === 0 ? 0.4 : 0.7,
    });
  }
  return found.reverse();
}

export function PriceChart({ symbol, track, entryPrice, exposure, theme }: Props) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef({ revision: -1, time: 0 });
  const line = useRef<IPriceLine | null>(null);

  const made = useChart(box, theme, symbol, (chart) => {
    const price = chart.addSeries(AreaSeries, {
      lineColor: colour("--accent"),
      topColor: colour("--accent-haze"),
      bottomColor: "transparent",
      lineWidth: 2,
      lineType: LineType.Simple,
      priceLineStyle: LineStyle.Dotted,
    });
    const held = chart.addSeries(
      HistogramSeries,
      {
        base: 0,
        priceLineVisible: false,
        lastValueVisible: false,
        priceFormat: { type: "price", precision: 1, minMove: 0.1 },
        autoscaleInfoProvider: () => ({ priceRange: { minValue: -1, maxValue: 1 } }),
      },
      1,
    );
    chart.panes()[0]?.setStretchFactor(5);
    chart.panes()[1]?.setStretchFactor(1);
    drawn.current = { revision: -1, time: 0 };
    line.current = null;
    return { price, held, marks: createSeriesMarkers(price, []) };
  });

  const points = track?.points;
  const last = points?.at(-1);
  useEffect(() => {
    if (!made.current || !track || !last) return;
    const { chart, parts } = made.current;
    const bar = (point: Point) => ({
      time: at(point.time),
      value: point.exposure,
      color: colour(point.exposure < 0 ? "--down" : "--up"),
    });
    const dot = (point: Point) => ({ time: at(point.time), value: point.price });
    if (drawn.current.revision !== track.revision) {
      const precision = decimalsOf(track.points.slice(-20).map((point) => point.price));
      parts.price.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
      parts.price.setData(track.points.map(dot));
      parts.held.setData(track.points.map(bar));
      const to = track.points.length + 3;
      chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, to - VISIBLE), to });
    } else {
      for (const point of track.points.filter((one) => one.time > drawn.current.time)) {
        parts.price.update(dot(point));
        parts.held.update(bar(point));
      }
    }
    drawn.current = { revision: track.revision, time: last.time };
    parts.marks.setMarkers(marks(track.points));
  }, [made, track, track?.revision, last?.time, symbol, theme, last]);

  useEffect(() => {
    if (!made.current) return;
    const { price } = made.current.parts;
    if (line.current) price.removePriceLine(line.current);
    line.current =
      entryPrice === null || exposure === 0
        ? null
        : price.createPriceLine({
            price: entryPrice,
            color: colour(exposure < 0 ? "--down" : "--up"),
            lineWidth: 1,
            lineStyle: LineStyle.Dashed,
            title: words.entry,
          });
  }, [made, entryPrice, exposure, symbol, theme, words]);

  return <div className="chart chart-price" ref={box} role="img" aria-label={`${words.price} ${symbol}`} />;
}
