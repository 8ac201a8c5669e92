/* The front end as static files, which nginx serves: nothing of Node runs. */

/** @type {import('next').NextConfig} */
export default {
  output: 'export',
  distDir: '.next',
  reactStrictMode: true,
  poweredByHeader: false,
  productionBrowserSourceMaps: false,
  compiler: {
    removeConsole: { exclude: ['error'] },
  },
  experimental: {
    optimizePackageImports: ['lucide-react', '@tanstack/react-query'],
  },
  // Pictures are asked of their sources' own CDNs: lib/sources.ts.
  images: { unoptimized: true },
  // Types are checked by scripts/web before.
  typescript: { ignoreBuildErrors: true },
  eslint: { ignoreDuringBuilds: true },
};
