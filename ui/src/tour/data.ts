// What the tour tells of, asked of the query API like everything else.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { verdictQuery } from "../verdict/data";
import { ADDRESS_RULES, placeOf, type Lump, type Place } from "./story";

/** Figures move while traffic flows. */
const REFRESH_MS = 5000;
const RANGE = "last:24h";
const LUMPS = `key:${ADDRESS_RULES.join(",")}`;
const VERDICTS = 100;

const sourcesQuery = queryOptions({
  queryKey: ["tour", "sources"],
  queryFn: ({ signal }) => {
    const query = { q: `-${LUMPS} ${RANGE}`, sort: "sessions", limit: 50 };
    return body(api.GET("/v1/sources", { params: { query }, signal }));
  },
  refetchInterval: REFRESH_MS,
});

/** The largest session that goes by address. */
const lumpQuery = queryOptions({
  queryKey: ["tour", "lump"],
  queryFn: ({ signal }) => {
    const query = { q: `${LUMPS} ${RANGE}`, sort: "requests", limit: 1 };
    return body(api.GET("/v1/sessions", { params: { query }, signal }));
  },
  refetchInterval: REFRESH_MS,
});

export interface Told {
  place: Place | null;
  lump: Lump | null;
  isPending: boolean;
  error: Error | null;
}

export function useTold(): Told {
  const sources = useQuery(sourcesQuery);
  const lumps = useQuery(lumpQuery);
  const one = lumps.data?.items[0];
  const address = one?.ips.values[0];
  return {
    place: placeOf(sources.data?.items ?? []),
    lump:
      one === undefined || address === undefined
        ? null
        : {
            session: one.session,
            address,
            requests: one.requests,
            programs: one.user_agents.count,
            users: one.users.count,
            held: one.verdict?.flagged === true && one.verdict.state === "active",
          },
    isPending: sources.isPending || lumps.isPending,
    error:
      sources.data === undefined || lumps.data === undefined
        ? (sources.error ?? lumps.error)
        : null,
  };
}

/** The surest verdict on a session at the address, with its evidence; not on the one that is everybody's. */
export function useWorst(address: string | null, lump: string | undefined) {
  const verdicts = useQuery({
    queryKey: ["tour", "verdicts", address],
    queryFn: ({ signal }) => {
      const query = {
        ip: address ?? "",
        subject_kind: "session",
        flagged: true,
        limit: VERDICTS,
      };
      return body(api.GET("/v1/verdicts", { params: { query }, signal }));
    },
    enabled: address !== null,
    refetchInterval: REFRESH_MS,
  });
  const own = verdicts.data?.items.filter(({ subject }) => subject !== lump);
  const worst = own?.reduce<{ id: string; confidence: number } | null>(
    (most, one) => (most === null || one.confidence > most.confidence ? one : most),
    null,
  );
  const verdict = useQuery({ ...verdictQuery(worst?.id ?? ""), enabled: worst != null });
  return {
    isPending: address !== null && (verdicts.isPending || (worst != null && verdict.isPending)),
    error: verdicts.error ?? verdict.error,
    verdict: worst == null ? undefined : verdict.data,
  };
}
