import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { since, sparseBegin } from "../api/facets";
import { sum } from "../parts/chart/Bars";

const REFRESH_MS = 30_000;
const BUCKETS = 90;

const botsQuery = (q: string | undefined) =>
  queryOptions({
    queryKey: ["bots", q],
    queryFn: ({ signal }) => {
      const query = { buckets: BUCKETS, ...(q !== undefined && { q }) };
      return body(api.GET("/v1/bots", { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });

/** All bots at a glance: types over time, where they come from, at what, and what saw them. */
export function useBots(q: string | undefined) {
  const whole = useQuery(botsQuery(q));
  const { buckets = [], types = [] } = whole.data ?? {};
  const begin = sparseBegin(
    buckets.map((start, at) => [start, sum(types.map(({ over_time: each }) => each[at] ?? 0))]),
  );
  const part = useQuery(botsQuery(begin === null ? q : since(q, begin)));
  return begin === null ? whole : part;
}
