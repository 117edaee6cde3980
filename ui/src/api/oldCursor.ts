// A list that the service cannot tell any more as it was on its first page begins anew.
import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiProblem } from "./problem";

interface Paged {
  isFetchNextPageError: boolean;
  error: Error | null;
}

/** Whether the next page was refused because a segment was closed since the first. */
export function isOld({ isFetchNextPageError, error }: Paged): boolean {
  return isFetchNextPageError && error instanceof ApiProblem && error.word === "old-cursor";
}

export function useAnewWhenOld(answer: Paged, queryKey: QueryKey) {
  const client = useQueryClient();
  const old = isOld(answer);
  useEffect(() => {
    if (old) void client.resetQueries({ queryKey, exact: true });
  }, [client, old, queryKey]);
}
