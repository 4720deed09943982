/** What the server sends; the shapes of serve/schema.py. Times are nanoseconds, UTC. */

export interface Probabilities {
  down: number;
  flat: number;
  up: number;
}

export interface SymbolState {
  symbol: string;
  policy: string;
  time: number;
  price: number | null;
  probabilities: Probabilities | null;
  disagreement: number | null;
  volatility: number | null;
  exposure: number;
  units: number;
  entry_price: number | null;
  equity: number;
  pnl: number;
  fees: number;
  trades: number;
  lease_notional: number;
  lease_used: number;
  lease_state: string;
  latency_p50_ms: number | null;
  latency_p99_ms: number | null;
  events: number;
  decisions: number;
  orders: number;
  reconnects: number;
  gaps: number;
  restarts: number;
  pid: number;
  memory_mb: number | null;
  model_version: string;
  policy_version: string;
  verdict: string;
  verdict_reasons: string[];
}

export interface Lease {
  symbol: string;
  notional: number;
  used: number;
  state: string;
}

export interface Risk {
  limit_notional: number;
  granted_notional: number;
  used_notional: number;
  state: string;
  reasons: string[];
  leases: Lease[];
}

export interface Floor {
  time: number;
  uptime: number;
  mode: string;
  equity: number;
  pnl: number;
  risk: Risk;
  symbols: SymbolState[];
}

export interface Frame {
  connected: boolean;
  age_seconds: number | null;
  trouble: string;
  floor: Floor | null;
}

export interface History {
  symbol: string;
  time: number[];
  price: (number | null)[];
  exposure: (number | null)[];
  equity: (number | null)[];
}

export async function fetchHistory(symbol: string): Promise<History> {
  const response = await fetch(`/v1/history/${encodeURIComponent(symbol)}`);
  if (!response.ok) throw new Error(`history of ${symbol}: ${response.status}`);
  return (await response.json()) as History;
}

/** Nanoseconds as a JSON number are exact to a quarter of a microsecond: enough for a chart. */
export const seconds = (nanoseconds: number): number => nanoseconds / 1e9;
