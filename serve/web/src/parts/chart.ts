/** One chart in an element, coloured by the page's own style. */

import { useEffect, useRef, type RefObject } from "react";
import { ColorType, createChart, CrosshairMode, type IChartApi, type UTCTimestamp } from "lightweight-charts";
import type { Theme } from "../settings";

export const at = (seconds: number): UTCTimestamp => seconds as UTCTimestamp;

/** The value of a colour of the style sheet, such as `--up`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options() {
  return {
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: colour("--muted"),
      fontFamily: colour("--mono"),
      fontSize: 11,
      // The footer carries the notice and the link that the library's licence asks for.
      attributionLogo: false,
      panes: { separatorColor: colour("--line"), separatorHoverColor: colour("--line") },
    },
    grid: {
      vertLines: { color: colour("--grid") },
      horzLines: { color: colour("--grid") },
    },
    crosshair: {
      mode: CrosshairMode.Magnet,
      vertLine: { color: colour("--muted"), labelBackgroundColor: colour("--raised") },
      horzLine: { color: colour("--muted"), labelBackgroundColor: colour("--raised") },
    },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, rightOffset: 4 },
    handleScroll: { vertTouchDrag: false },
  };
}

/** Make the chart with `draw` once per `key`; what `draw` returns is kept until the next. */
export function useChart<T>(
  box: RefObject<HTMLDivElement | null>,
  theme: Theme,
  key: string,
  draw: (chart: IChartApi) => T,
): RefObject<{ chart: IChartApi; parts: T } | null> {
  const made = useRef<{ chart: IChartApi; parts: T } | null>(null);
  useEffect(() => {
    if (!box.current) return;
    const chart = createChart(box.current, { autoSize: true, ...options() });
    made.current = { chart, parts: draw(chart) };
    return () => {
      made.current = null;
      chart.remove();
    };
    // `draw` is a new function on every render and means the same for the same key.
    // A theme is drawn anew: every series has colours of its own.
  }, [box, theme, key]);
  return made;
}
