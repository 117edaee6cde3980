// What a session is: the policy, candidates tried beside it, keys that are found, its past.
import type { ComponentType } from "react";
import { Link } from "../app/Link";
import type { PageProps } from "../app/pages";
import { Empty } from "../parts/State";
import { CandidatesTab } from "./CandidatesTab";
import { KeysTab } from "./KeysTab";
import { PolicyTab } from "./PolicyTab";
import style from "./Setup.module.css";
import { VersionsTab } from "./VersionsTab";

const TABS: readonly [string, string, ComponentType][] = [
  ["policy", "Policy", PolicyTab],
  ["candidates", "Candidates", CandidatesTab],
  ["keys", "Key finder", KeysTab],
  ["versions", "Versions", VersionsTab],
];

export default function SetupPage({ params }: PageProps) {
  const name = params.part ?? "policy";
  const Tab = TABS.find(([known]) => known === name)?.[2];
  return (
    <div className={style.page}>
      <header className={style.header}>
        <h1>Setup</h1>
        <nav className={style.tabs} aria-label="Parts of the setup">
          {TABS.map(([id, title]) => (
            <Link key={id} to={`/setup/${id}`} {...(id === name && { "aria-current": "page" })}>
              {title}
            </Link>
          ))}
        </nav>
      </header>
      {Tab ? <Tab /> : <Empty title="There is no such part of the setup" />}
    </div>
  );
}
