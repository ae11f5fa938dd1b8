import { Empty } from '../components/index.ts';
import { Link, useLocation, useTitle } from '../router.tsx';

export function NotFoundPage() {
  useTitle('No such page');
  const { path } = useLocation();
  return (
    <div className="page">
      <h1>No such page</h1>
      <section className="panel">
        <Empty title="There is nothing at this address">
          <code>{path}</code>. Go to the <Link to="/">live page</Link> or the{' '}
          <Link to="/decisions">decisions</Link>.
        </Empty>
      </section>
    </div>
  );
}
