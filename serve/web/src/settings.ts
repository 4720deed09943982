/** What the reader chose, kept by the browser: theme and language. */

import { useEffect, useState } from "react";
import type { Language } from "./words";

export type Theme = "dark" | "light";

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // A browser may refuse storage; the page works without.
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see above
  }
}

export function useTheme(): [Theme, () => void] {
  const query = "(prefers-color-scheme: light)";
  const [chosen, setChosen] = useState(remembered("theme"));
  const [system, setSystem] = useState<Theme>(matchMedia(query).matches ? "light" : "dark");

  useEffect(() => {
    const media = matchMedia(query);
    const follow = () => setSystem(media.matches ? "light" : "dark");
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);

  const theme: Theme = chosen === "light" || chosen === "dark" ? chosen : system;
  // Before the children draw: charts read their colours from the document's style.
  document.documentElement.dataset.theme = theme;
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    remember("theme", next);
    setChosen(next);
  };
  return [theme, toggle];
}

export function useLanguage(): [Language, () => void] {
  const [language, setLanguage] = useState<Language>(remembered("language") === "pt" ? "pt" : "en");
  useEffect(() => {
    document.documentElement.lang = language === "pt" ? "pt-BR" : "en";
  }, [language]);
  const toggle = () => {
    const next = language === "en" ? "pt" : "en";
    remember("language", next);
    setLanguage(next);
  };
  return [language, toggle];
}
