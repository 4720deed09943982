/** The live stream: one socket, re-made when it is lost or falls silent. */

import { useEffect, useState } from "react";
import type { Frame } from "./api";

/** connecting: never had a frame; live; stale: the server is there, the floor is not; lost: no server. */
export type Link = "connecting" | "live" | "stale" | "lost";

export interface Live {
  frame: Frame | null;
  link: Link;
  /** Counts how often server or floor came (back), so that whoever keeps history knows when to fetch what it missed. */
  session: number;
}

const SILENCE_MS = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

export function useStream(): Live {
  const [live, setLive] = useState<Live>({ frame: null, link: "connecting", session: 0 });

  useEffect(() => {
    let socket: WebSocket | null = null;
    let retry = 0;
    let watchdog = 0;
    let wait = FIRST_WAIT_MS;
    let closed = false;

    const listen = () => {
      window.clearTimeout(watchdog);
      watchdog = window.setTimeout(() => socket?.close(), SILENCE_MS);
    };

    const connect = () => {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const current = new WebSocket(`${scheme}://${location.host}/v1/stream`);
      socket = current;
      let first = true;
      listen();
      current.onmessage = (message) => {
        listen();
        wait = FIRST_WAIT_MS;
        const frame = JSON.parse(String(message.data)) as Frame;
        const fresh = first;
        first = false;
        setLive((before) => {
          const back = frame.connected && before.link !== "live";
          return {
            frame,
            link: frame.connected ? "live" : "stale",
            session: before.session + (fresh || back ? 1 : 0),
          };
        });
      };
      current.onclose = () => {
        window.clearTimeout(watchdog);
        if (closed) return;
        setLive((before) => ({ ...before, link: before.session ? "lost" : "connecting" }));
        retry = window.setTimeout(connect, wait * (0.75 + Math.random() / 2));
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      };
    };

    connect();
    return () => {
      closed = true;
      window.clearTimeout(retry);
      window.clearTimeout(watchdog);
      socket?.close();
    };
  }, []);

  return live;
}
