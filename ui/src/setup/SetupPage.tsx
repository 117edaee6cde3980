// What a session is: the policy, candidates tried beside it, keys that are found, its past.
import type { ComponentType } from "react";
import type { PageProps } from "../app/pages";
import { Page } from "../parts/Page";
import { Empty } from "../parts/State";
import { CandidatesTab } from "./CandidatesTab";
import { DetectionTab } from "./DetectionTab";
import { KeysTab } from "./KeysTab";
import { PolicyTab } from "./PolicyTab";
import { VersionsTab } from "./VersionsTab";

const TABS: readonly [string, string, ComponentType][] = [
  ["policy", "Policy", PolicyTab],
  ["candidates", "Candidates", CandidatesTab],
  ["keys", "Key finder", KeysTab],
  ["detection", "Detection", DetectionTab],
  ["versions", "Versions", VersionsTab],
];

export default function SetupPage({ params }: PageProps) {
  const name = params.part ?? "policy";
  const Tab = TABS.find(([known]) => known === name)?.[2];
  return (
    <Page
      title="Setup"
      tabs={TABS.map(([id, title]) => ({ to: `/setup/${id}`, title, isHere: id === name }))}
    >
      {Tab ? <Tab /> : <Empty title="There is no such part of the setup" />}
    </Page>
  );
}
