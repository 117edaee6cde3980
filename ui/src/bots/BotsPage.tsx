// Who is held for a bot: verdicts to judge one by one, and what they have in common.
import type { PageProps } from "../app/pages";
import { Page } from "../parts/Page";
import { Empty } from "../parts/State";
import { OverviewTab } from "./OverviewTab";
import { VerdictsTab } from "./VerdictsTab";

const TABS = [
  ["/bots", "Verdicts", undefined, VerdictsTab],
  ["/bots/overview", "Overview", "overview", OverviewTab],
] as const;

export default function BotsPage({ params }: PageProps) {
  const Tab = TABS.find(([, , part]) => part === params.part)?.[3];
  return (
    <Page
      title="Bots"
      tabs={TABS.map(([to, title, part]) => ({ to, title, isHere: part === params.part }))}
      fixed
    >
      {Tab ? <Tab /> : <Empty title="There is no such part of Bots" />}
    </Page>
  );
}
