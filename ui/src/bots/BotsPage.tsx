// Who is held for a bot: verdicts to judge one by one, and what they have in common.
import { lazy, Suspense } from "react";
import type { PageProps } from "../app/pages";
import { Page } from "../parts/Page";
import { Bones, Empty } from "../parts/State";
import { OverviewTab } from "./OverviewTab";
import { VerdictsTab } from "./VerdictsTab";

// With what reads YAML, which the other tabs do without.
const BacktestTab = lazy(() => import("./backtest/BacktestTab"));

const TABS = [
  ["/bots", "Verdicts", undefined, VerdictsTab],
  ["/bots/overview", "Overview", "overview", OverviewTab],
  ["/bots/backtest", "Backtest", "backtest", BacktestTab],
] as const;

export default function BotsPage({ params }: PageProps) {
  const Tab = TABS.find(([, , part]) => part === params.part)?.[3];
  return (
    <Page
      title="Bots"
      tabs={TABS.map(([to, title, part]) => ({ to, title, isHere: part === params.part }))}
      fixed
    >
      {Tab ? (
        <Suspense fallback={<Bones rows={12} label="The page is loading" />}>
          <Tab />
        </Suspense>
      ) : (
        <Empty title="There is no such part of Bots" />
      )}
    </Page>
  );
}
