import { seconds } from "../api";
import { clock, day, number } from "../format";
import type { Theme } from "../settings";
import type { Live } from "../stream";
import { useWords, type Language } from "../words";
import { Mark } from "./Mark";

interface Props {
  live: Live;
  theme: Theme;
  language: Language;
  onTheme: () => void;
  onLanguage: () => void;
}

export function Header({ live, theme, language, onTheme, onLanguage }: Props) {
  const words = useWords();
  const floor = live.frame?.floor;
  const time = seconds(floor?.time ?? 0);
  const age = live.frame?.age_seconds;
  const mode = floor?.mode === "paper" || floor?.mode === "replay" ? words[floor.mode] : floor?.mode;
  return (
    <header className="top">
      <a className="brand" href="/" aria-label="Pregão">
        <Mark />
        <span className="brand-name">Pregão</span>
        <span className="brand-line">{words.tagline}</span>
      </a>
      <div className="top-end">
        {mode && <span className="chip chip-accent">{mode}</span>}
        <span className={`link link-${live.link}`} role="status">
          <i aria-hidden="true" />
          {words[live.link]}
          {live.link === "live" && age != null && (
            <small aria-hidden="true">{number(age, 1)} s</small>
          )}
        </span>
        <time className="clock" title={`${day(time)} · ${words.utc}`}>
          {clock(time)}
        </time>
        <nav>
          <a className="tool" href="/docs">
            {words.docs}
          </a>
          <button className="tool" type="button" onClick={onLanguage} aria-label={words.language}>
            {language === "en" ? "PT" : "EN"}
          </button>
          <ThemeButton theme={theme} onTheme={onTheme} label={words.theme} />
        </nav>
      </div>
    </header>
  );
}

interface ThemeProps {
  theme: Theme;
  onTheme: () => void;
  label: string;
}

export function ThemeButton({ theme, onTheme, label }: ThemeProps) {
  return (
    <button className="tool" type="button" onClick={onTheme} aria-label={label}>
      <svg width="15" height="15" viewBox="0 0 16 16" aria-hidden="true">
        {theme === "dark" ? (
          <g stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
            <circle cx="8" cy="8" r="3" fill="currentColor" stroke="none" />
            <path d="M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13" />
          </g>
        ) : (
          <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" fill="currentColor" />
        )}
      </svg>
    </button>
  );
}
