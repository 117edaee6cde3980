// How the values of a field are spread over the sessions that the filter selects.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { inTurn } from "../api/turn";

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

export function useHistogram(q: string | undefined) {
  return useQuery({
    queryKey: ["histogram", q],
    queryFn: ({ signal }) => {
      const query = { buckets: 90, ...(q !== undefined && { q }) };
      return body(api.GET("/v1/sessions/histogram", { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
    retry: false,
  });
}
