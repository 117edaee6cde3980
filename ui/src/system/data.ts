import { queryOptions } from "@tanstack/react-query";
import { api, body } from "../api/client";

/** How the service is doing, every other second. */
export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => body(api.GET("/v1/status", { signal })),
  refetchInterval: 2000,
  retry: false,
});
