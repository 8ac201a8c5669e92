'use client';

import { useQuery } from '@tanstack/react-query';
import { ArrowRight, ChevronDown } from 'lucide-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useGeneration } from '../hooks/useGeneration';
import { usePerformanceTracking } from '../hooks/usePerformanceTracking';
import { api, type GenerationRequest } from '../lib/api';
import { ideas, shapes } from '../lib/prompt';
import { Canvas } from './Canvas';
import styles from './Generator.module.css';

// What is offered until the server has said what it knows.
const STYLES = ['modern', 'minimalist', 'scandinavian', 'japandi', 'industrial',
  'mid-century modern', 'bohemian', 'traditional', 'farmhouse', 'coastal',
  'art deco', 'rustic'];
const ROOMS = ['living room', 'bedroom', 'kitchen', 'dining room', 'bathroom',
  'home office', 'hallway', 'nursery', 'balcony', 'study'];

export function Generator() {
  usePerformanceTracking('generator');
  const { phase, start, cancel } = useGeneration();
  const [prompt, setPrompt] = useState('');
  const [style, setStyle] = useState('');
  const [room, setRoom] = useState('');
  const [shape, setShape] = useState(shapes[0]);
  const [avoid, setAvoid] = useState('');
  const [seed, setSeed] = useState('');
  const options = useQuery({
    queryKey: ['options'],
    queryFn: ({ signal }) => api.options(signal),
    staleTime: Infinity,
  });
  const limits = options.data?.limits;
  const box = useRef<HTMLTextAreaElement>(null);
  // Words that a link brings, as from a picture that could not be made.
  useEffect(() => {
    setPrompt((old) => (
      new URLSearchParams(window.location.search).get('prompt') ?? old));
  }, []);
  const busy = phase.is === 'asking' || phase.is === 'queued';

  function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || prompt.trim() === '') {
      return;
    }
    const request: GenerationRequest = {
      prompt: prompt.trim(), width: shape.width, height: shape.height,
    };
    if (style) { request.style = style; }
    if (room) { request.roomType = room; }
    if (avoid.trim()) { request.negativePrompt = avoid.trim(); }
    if (/^\d{1,10}$/.test(seed)) { request.seed = Number(seed); }
    void start(request);
  }

  return (
    <div className={styles.page}>
      <section className={styles.composer}>
        <h1>Describe a room.<br />See it take shape.</h1>
        <form onSubmit={submit} className={styles.form}>
          <label className={`label ${styles.first}`} htmlFor="prompt">Your room</label>
          <textarea
            ref={box}
            id="prompt"
            className={`field ${styles.prompt}`}
            rows={3}
            required
            maxLength={limits?.prompt ?? 10_000}
            placeholder={ideas[0]}
            value={prompt}
            onChange={(event) => { setPrompt(event.target.value); }}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
                event.currentTarget.form?.requestSubmit();
              }
            }}
          />
          <fieldset className={styles.choice}>
            <legend className="label">Style</legend>
            <div className={styles.chips}>
              {(options.data?.styles ?? STYLES).map((name) => (
                <label key={name} className={styles.chip}>
                  <input
                    type="checkbox"
                    className="hidden"
                    checked={style === name}
                    onChange={() => { setStyle(style === name ? '' : name); }}
                  />
                  <span>{name}</span>
                </label>
              ))}
            </div>
          </fieldset>

          <div className={styles.row}>
            <div>
              <label className="label" htmlFor="room">Room</label>
              <select
                id="room"
                className="field"
                value={room}
                onChange={(event) => { setRoom(event.target.value); }}
              >
                <option value="">Any room</option>
                {(options.data?.roomTypes ?? ROOMS).map((name) => (
                  <option key={name} value={name}>{name}</option>
                ))}
              </select>
            </div>
            <fieldset className={styles.choice}>
              <legend className="label">Shape</legend>
              <div className={styles.shapes}>
                {shapes.map((one) => (
                  <label key={one.name} className={styles.shape}>
                    <input
                      type="radio"
                      name="shape"
                      className="hidden"
                      checked={shape === one}
                      onChange={() => { setShape(one); }}
                    />
                    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden>
                      <rect
                        x={12 - one.width / 120}
                        y={12 - one.height / 120}
                        width={one.width / 60}
                        height={one.height / 60}
                        rx="2"
                        fill="none"
                        stroke="currentColor"
                        strokeWidth="1.5"
                      />
                    </svg>
                    <span className="hidden">{one.name}</span>
                  </label>
                ))}
              </div>
            </fieldset>
          </div>

          <details className={styles.more}>
            <summary>
              More <ChevronDown size={16} strokeWidth={1.6} aria-hidden />
            </summary>
            <div className={styles.row}>
              <div>
                <label className="label" htmlFor="avoid">Leave out</label>
                <input
                  id="avoid"
                  className="field"
                  maxLength={limits?.negativePrompt ?? 10_000}
                  placeholder="people, clutter"
                  value={avoid}
                  onChange={(event) => { setAvoid(event.target.value); }}
                />
              </div>
              <div>
                <label className="label" htmlFor="seed">Seed</label>
                <input
                  id="seed"
                  className="field"
                  inputMode="numeric"
                  pattern="\d{1,10}"
                  placeholder="any"
                  value={seed}
                  onChange={(event) => { setSeed(event.target.value); }}
                />
              </div>
            </div>
          </details>

          <button type="submit" className={`button ${styles.go}`} disabled={busy}>
            {busy ? 'Making it' : 'Make a picture'}
            <ArrowRight size={18} strokeWidth={1.7} aria-hidden />
          </button>
        </form>
      </section>
      <Canvas
        phase={phase}
        shape={shape}
        onCancel={cancel}
        onChange={() => {
          box.current?.scrollIntoView({ block: 'nearest' });
          box.current?.select();
        }}
        onIdea={prompt.trim() === '' || ideas.includes(prompt) ? (idea) => {
          setPrompt(idea);
          box.current?.focus();
        } : undefined}
        onRetry={(request) => { void start(request); }}
      />
    </div>
  );
}
