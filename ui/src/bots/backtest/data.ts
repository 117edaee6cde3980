import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import type { BacktestAnswer } from "../../api/schema";
import { asYaml } from "../../setup/data";

/** What was judged, and by which text. */
export interface Judged {
  text: string;
  answer: BacktestAnswer;
}

/**
 * Heavy for the service: asked only when somebody wants to know. Kept under the text, so that it is
 * there again when one comes back from a session.
 */
export const backtestQuery = (text: string) =>
  queryOptions({
    queryKey: ["backtest", text],
    queryFn: async ({ signal }): Promise<Judged> => {
      const headers = { "content-type": "application/yaml" };
      const answer = await body(api.POST("/v1/backtest", { headers, signal, ...asYaml(text) }));
      return { text, answer };
    },
    enabled: false,
    retry: false,
    staleTime: Infinity,
    gcTime: 30 * 60_000,
    placeholderData: keepPreviousData,
  });
