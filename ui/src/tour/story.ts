// What the tour says, out of what the service answered: pure, so that tests hold it.
import { plural } from "../words/number";

/** Rules that find a session by where it comes from: nobody's own key. */
export const ADDRESS_RULES = ["ip", "ip_prefix"];

/** An address with many sessions of their own keys. */
export interface Place {
  address: string;
  sessions: number;
  /** Of these, held for bots. */
  bots: number;
}

/** A session that is everybody's at an address. */
export interface Lump {
  session: string;
  address: string;
  requests: number;
  programs: number;
  users: number;
  held: boolean;
}

interface Source {
  source: string;
  sessions: number;
  bots: number;
}

/** Below, blocking an address hits hardly anybody else. */
const SESSIONS_MIN = 3;

/** The address to tell of: the most sessions, of those with a bot if there is any. */
export function placeOf(sources: Source[]): Place | null {
  const many = sources.filter(({ sessions }) => sessions >= SESSIONS_MIN);
  const withBots = many.filter(({ bots, sessions }) => bots > 0 && bots < sessions);
  const best = (withBots.length > 0 ? withBots : many).reduce<Source | null>(
    (most, one) => (most === null || one.sessions > most.sessions ? one : most),
    null,
  );
  return best && { address: best.source, sessions: best.sessions, bots: best.bots };
}

export function byAddress(place: Place | null, lump: Lump | null): string {
  if (place !== null) {
    const { address, sessions, bots } = place;
    const others = sessions - bots;
    return `${address} has ${plural(sessions, "session")} of their own. Who goes by address sees one client there: blocking it would hit ${
      bots === 0 ? `all ${others}` : `${others} that are not held for bots`
    }.`;
  }
  if (lump !== null) {
    const who = lump.users > 1 ? plural(lump.users, "user") : plural(lump.programs, "user agent");
    return `${lump.address} is one session here: ${plural(lump.requests, "request")} of ${who}${
      lump.held ? ", held for a bot as a whole" : ""
    }. Blocking it would hit all of them.`;
  }
  return "No address has several sessions yet. Send traffic through Envoy, and come back.";
}

export function after(place: Place | null): string {
  if (place === null) return "No session goes by a key of its own yet: see the step before.";
  const { sessions, bots } = place;
  if (bots === 0) {
    return `${plural(sessions, "session")} where there was one address, and none of them is held for a bot.`;
  }
  const held = bots === 1 ? "one is held for a bot" : `${bots} are held for bots`;
  return `${plural(sessions, "session")} where there was one address; ${held}. Stopping that leaves the other ${sessions - bots} alone.`;
}

/** Names of the policy's rules in order, with the fallback last. */
export function rulesOf(document: unknown): string[] {
  if (typeof document !== "object" || document === null) return [];
  const { keys, fallback } = document as { keys?: unknown; fallback?: unknown };
  const names = Array.isArray(keys)
    ? keys.map((rule: unknown) => (rule as { name?: unknown } | null)?.name)
    : [];
  const all = [...names, fallback ?? "ip_user_agent"];
  return all.filter((name): name is string => typeof name === "string");
}

/** A rule of the policy, and what it found at the address. */
export interface Rule {
  name: string;
  sessions: number;
}

/** The policy's rules with their sessions, then those of rules that are not in it (any more). */
export function rulesAt(names: string[], found: { value: string; sessions: number }[]): Rule[] {
  const sessions = (name: string) => found.find(({ value }) => value === name)?.sessions ?? 0;
  const others = found.filter(({ value }) => !names.includes(value)).map(({ value }) => value);
  return [...names, ...others].map((name) => ({ name, sessions: sessions(name) }));
}
