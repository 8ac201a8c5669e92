'use client';

import { Armchair, Compass, Heart, Images, Sparkles } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import type { ReactNode } from 'react';
import { Fence } from './Fence';
import { LiveStatus } from './LiveStatus';
import styles from './Shell.module.css';

const pages = [
  { href: '/', name: 'Create', Icon: Sparkles },
  { href: '/feed', name: 'Discover', Icon: Compass },
  { href: '/shop', name: 'Shop', Icon: Armchair },
  { href: '/pictures', name: 'Pictures', Icon: Images },
  { href: '/likes', name: 'Likes', Icon: Heart },
];

export function Shell({ children }: { children: ReactNode }) {
  const here = usePathname();

  return (
    <>
      <a className={styles.skip} href="#content">Skip to the content</a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <Link href="/" className={styles.mark} prefetch={false}>Atelier</Link>
          <nav className={styles.nav} aria-label="Pages">
            {pages.map(({ href, name, Icon }) => (
              <Link
                key={href}
                href={href}
                // What it would fetch ahead, the console complains of.
                prefetch={false}
                className={styles.link}
                aria-current={here === href ? 'page' : undefined}
              >
                <Icon size={20} strokeWidth={1.6} aria-hidden />
                <span>{name}</span>
              </Link>
            ))}
          </nav>
          <LiveStatus />
        </div>
      </header>
      <main id="content" className={styles.main} tabIndex={-1}>
        <Fence page={here}>{children}</Fence>
      </main>
    </>
  );
}
