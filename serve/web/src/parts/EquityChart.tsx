/** The sum of all accounts, above and below where the view begins. */

import { useEffect, useRef } from "react";
import { BaselineSeries, LineStyle } from "lightweight-charts";
import type { Theme } from "../settings";
import { portfolio, type Tracks } from "../tracks";
import { useWords } from "../words";
import { at, colour, useChart } from "./chart";

interface Props {
  tracks: Tracks;
  time: number;
  theme: Theme;
}

export function EquityChart({ tracks, time, theme }: Props) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const made = useChart(box, theme, "equity", (chart) => {
    chart.timeScale().applyOptions({ secondsVisible: false, fixLeftEdge: true, fixRightEdge: true });
    return chart.addSeries(BaselineSeries, {
      topLineColor: colour("--up"),
      topFillColor1: colour("--up-haze"),
      topFillColor2: "transparent",
      bottomLineColor: colour("--down"),
      bottomFillColor1: "transparent",
      bottomFillColor2: colour("--down-haze"),
      lineWidth: 2,
      priceLineStyle: LineStyle.Dotted,
    });
  });

  useEffect(() => {
    if (!made.current) return;
    const sums = portfolio(tracks);
    const first = sums[0];
    if (!first) return;
    const { chart, parts } = made.current;
    parts.applyOptions({ baseValue: { type: "price", price: first.value } });
    parts.setData(sums.map((sum) => ({ time: at(sum.time), value: sum.value })));
    chart.timeScale().fitContent();
  }, [made, tracks, time, theme]);

  return <div className="chart chart-equity" ref={box} role="img" aria-label={words.portfolio} />;
}
