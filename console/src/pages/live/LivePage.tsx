import { statusPoll, throughputPoll, useStore } from '../../api/index.ts';
import { useSearch, useTitle } from '../../router.tsx';
import { LatencyPanel, ThroughputPanel } from './ChartPanels.tsx';
import { Figures } from './Figures.tsx';
import { StatusPanel } from './StatusPanel.tsx';
import { StreamPanel } from './StreamPanel.tsx';

/** What happens now. */
export function LivePage() {
  useTitle('Live');
  const status = useStore(statusPoll);
  const throughput = useStore(throughputPoll);
  const search = useSearch();
  const points = throughput.data?.points ?? null;
  const tenants = status.data?.tenants.map(({ name }) => name) ?? [];
  return (
    <div className="page page-live">
      <h1 className="hidden">Live</h1>
      <Figures points={points} />
      <div className="charts">
        <ThroughputPanel points={points} error={throughput.error} />
        <LatencyPanel points={points} error={throughput.error} />
      </div>
      <div className="live-columns">
        <StreamPanel
          tenants={tenants}
          tenant={search.get('tenant')}
          kinds={search.get('kinds')}
          subject={search.get('subject')}
        />
        <StatusPanel status={status} />
      </div>
    </div>
  );
}
