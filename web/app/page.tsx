import { Generator } from '../components/Generator';

export default function Page() {
  return <Generator />;
}
