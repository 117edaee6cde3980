// One endpoint: its figures, how they went over time, and sessions that met it badly.
import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { useHistogram } from "../../api/facets";
import { inTurn } from "../../api/turn";
import type { Endpoint } from "../../api/schema";
import { withoutTime } from "../../filter/words";
import { stretches } from "./stretches";

const ENDPOINTS_MAX = 500;
/** Stretches of the time that figures are asked for. */
const STRETCHES = 24;
const SESSIONS = 8;

async function endpoints(q: string | undefined, signal: AbortSignal): Promise<Endpoint[]> {
  const query = { limit: ENDPOINTS_MAX, ...(q !== undefined && { q }) };
  return (await body(api.GET("/v1/endpoints", { params: { query }, signal }))).items;
}

/** Null: it was not asked for in this time. */
export function useEndpoint(id: string, q: string | undefined) {
  return useQuery({
    queryKey: ["endpoint", id, q],
    queryFn: async ({ signal }) =>
      (await endpoints(q, signal)).find((one) => one.id === id) ?? null,
    placeholderData: keepPreviousData,
  });
}

/** The endpoint's figures in each stretch of the time; null while they are asked for, or without. */
export function useOverTime(of: Endpoint, q: string | undefined) {
  const all = [q, of.term].filter(Boolean).join(" ");
  const histogram = useHistogram(all);
  const { buckets = [], width_s: widthS = 1 } = histogram.data ?? {};
  const asking = buckets.map(({ requests }) => requests > 0);
  // Empty time at both ends says nothing.
  const there = buckets.slice(Math.max(0, asking.indexOf(true)), asking.lastIndexOf(true) + 1);
  const parts = stretches(
    there.map(({ start }) => start),
    widthS,
    STRETCHES,
  );
  const figures = useQueries({
    queries: parts.map(({ start, end }) => ({
      queryKey: ["endpoint", of.id, all, start, end],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        inTurn(signal, async () => {
          const asked = [...withoutTime(all), `from:${start}`, `to:${end}`].join(" ");
          return (await endpoints(asked, signal)).find(({ id }) => id === of.id) ?? null;
        }),
      staleTime: Infinity,
      retry: false,
    })),
  });
  return parts.map((part, index) => ({ ...part, figures: figures[index]?.data ?? null }));
}

/** Sessions for which a term holds, the latest first. */
export function useSessionsOf(q: string) {
  return useQuery({
    queryKey: ["sessions-of", q],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/sessions", { params: { query: { q, limit: SESSIONS } }, signal })),
    placeholderData: keepPreviousData,
  });
}
