// How the values of a field are spread over the sessions that the filter selects.
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { api, body } from "./client";
import { withoutTime } from "../filter/words";
import { inTurn } from "./turn";

const REFRESH_MS = 30_000;

/** The values of a field that most sessions have; asked for only while `enabled`. */
export function useFacet(field: string, q: string | undefined, limit: number, enabled: boolean) {
  return useQuery({
    queryKey: ["facet", field, q, limit],
    queryFn: ({ signal }) =>
      inTurn(signal, () => {
        const query = { field, limit, ...(q !== undefined && { q }) };
        return body(api.GET("/v1/sessions/facets", { params: { query }, signal }));
      }),
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
    staleTime: REFRESH_MS,
    retry: false,
  });
}

const BUCKETS = 90;

export const histogramQuery = (q: string | undefined) =>
  queryOptions({
    queryKey: ["histogram", q],
    queryFn: ({ signal }) => {
      const query = { buckets: BUCKETS, ...(q !== undefined && { q }) };
      return body(api.GET("/v1/sessions/histogram", { params: { query }, signal }));
    },
    refetchInterval: REFRESH_MS,
    retry: false,
  });

/** Sessions and requests over time; empty time at the beginning is left out where it is most. */
export function useHistogram(q: string | undefined) {
  const whole = useQuery({ ...histogramQuery(q), placeholderData: keepPreviousData });
  const buckets = whole.data?.buckets ?? [];
  const begin = sparseBegin(buckets.map(({ start, requests }) => [start, requests]));
  const part = useQuery({
    ...histogramQuery(begin === null ? q : since(q, begin)),
    placeholderData: keepPreviousData,
  });
  return { ...(begin === null ? whole : part), begin };
}

/** The filter with another beginning. */
export const since = (q: string | undefined, begin: string) =>
  [...withoutTime(q ?? ""), `from:${begin}`].join(" ");

/** Of the time that is empty before it, as a share. */
const EMPTY = 0.75;

/** When it begins, where there is nothing before and that is most of the time; else null. */
export function sparseBegin(counts: [start: string, count: number][]): string | null {
  const first = counts.findIndex(([, many]) => many > 0);
  return first > counts.length * EMPTY ? (counts[first]?.[0] ?? null) : null;
}
