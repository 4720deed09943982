import { useState } from "react";
import { seconds } from "./api";
import { decimalsOf, direction, number, signed } from "./format";
import { Banner } from "./parts/Banner";
import { Closed } from "./parts/Closed";
import { Detail } from "./parts/Detail";
import { EquityChart } from "./parts/EquityChart";
import { Figures } from "./parts/Figures";
import { Header } from "./parts/Header";
import { Leases } from "./parts/Leases";
import { PriceChart } from "./parts/PriceChart";
import { SymbolTable } from "./parts/SymbolTable";
import { useLanguage, useTheme } from "./settings";
import { useStream } from "./stream";
import { useTracks } from "./tracks";
import { WORDS, WordsContext } from "./words";

export function App() {
  const live = useStream();
  const [theme, toggleTheme] = useTheme();
  const [language, toggleLanguage] = useLanguage();
  const [chosen, setChosen] = useState("");
  const floor = live.frame?.floor ?? null;
  const tracks = useTracks(floor, live.session);
  const words = WORDS[language];

  const entry = floor?.symbols.find((one) => one.symbol === chosen) ?? floor?.symbols[0];
  const track = entry && tracks.get(entry.symbol);
  const points = track?.points ?? [];
  const decimals = decimalsOf(points.slice(-20).map((point) => point.price));
  const from = points.at(-300) ?? points[0];
  const change = entry?.price != null && from ? entry.price - from.price : null;
  const silent = live.link === "stale" || live.link === "lost";

  return (
    <WordsContext value={words}>
      <Header
        live={live}
        theme={theme}
        language={language}
        onTheme={toggleTheme}
        onLanguage={toggleLanguage}
      />
      {!floor || !entry ? (
        <Closed live={live} />
      ) : (
        <main className={silent ? "floor floor-silent" : "floor"}>
          <h1 className="hidden">Pregão</h1>
          {silent && (
            <p className="silence" role="alert">
              <strong>{words[live.link]}</strong> {live.frame?.trouble}
            </p>
          )}
          <Banner symbols={floor.symbols} />
          <Figures floor={floor} />
          <SymbolTable symbols={floor.symbols} tracks={tracks} selected={entry.symbol} onSelect={setChosen} />
          <div className="column">
          <section className="panel price-panel" aria-label={`${words.price} ${entry.symbol}`}>
            <header className="panel-head">
              <h2>{entry.symbol}</h2>
              <span className="price-now">{number(entry.price, decimals)}</span>
              {change !== null && from && (
                <span className={`mono text-${direction(change)}`}>
                  {signed(change, decimals)} ({signed((100 * change) / from.price, 2)} %)
                  <span className="muted"> {words.since}</span>
                </span>
              )}
              <span className="legend">
                <i className="key key-long" /> {words.long}
                <i className="key key-short" /> {words.short}
                <span className="muted">{words.utc}</span>
              </span>
            </header>
            <PriceChart
              symbol={entry.symbol}
              track={track}
              entryPrice={entry.entry_price}
              exposure={entry.exposure}
              theme={theme}
            />
          </section>
          <section className="panel equity-panel" aria-label={words.portfolio}>
            <header className="panel-head">
              <h2>{words.portfolio}</h2>
              <span className="price-now">{number(floor.equity)}</span>
              <span className={`mono text-${direction(floor.pnl)}`}>{signed(floor.pnl)}</span>
            </header>
            <EquityChart tracks={tracks} time={seconds(floor.time)} theme={theme} />
          </section>
          </div>
          <div className="column">
          <Detail entry={entry} decimals={decimals} />
          <Leases risk={floor.risk} />
          </div>
        </main>
      )}
      <footer className="bottom">
        <span>Pregão · Apache-2.0</span>
        <span>
          {words.charts}: Lightweight Charts™, © TradingView, Inc.,{" "}
          <a href="https://www.tradingview.com/" rel="noreferrer">
            tradingview.com
          </a>
        </span>
      </footer>
    </WordsContext>
  );
}
