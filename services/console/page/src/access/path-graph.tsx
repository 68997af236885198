/** The picture of the ways, by React Flow, laid out by dagre from left to right. An edge is a grant: what is known of it shows beside it. */
import '@xyflow/react/dist/style.css';
import { graphlib, layout } from '@dagrejs/dagre';
import { useComputedColorScheme } from '@mantine/core';
import {
  Controls,
  type Edge,
  type EdgeChange,
  Handle,
  MarkerType,
  type Node,
  type NodeChange,
  type NodeProps,
  Position,
  ReactFlow,
} from '@xyflow/react';
import { useMemo } from 'react';
import { legible } from '../names.ts';
import type { Picture, PictureEdge, PictureNode } from './path-picture.ts';

type Drawn = Node<{ readonly node: PictureNode }, 'thing'>;
const [width, height] = [190, 62];

const Thing = ({ data: { node } }: NodeProps<Drawn>) => (
  <div className={`thing ${node.kind}`} title={legible(node.says ?? node.title)}>
    <Handle type="target" position={Position.Left} isConnectable={false} />
    <small>{node.kind}</small>
    <span>{legible(node.title)}</span>
    <Handle type="source" position={Position.Right} isConnectable={false} />
  </div>
);
const nodeTypes = { thing: Thing };

const laidOut = ({ nodes, edges }: Picture): Drawn[] => {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 26, ranksep: 190, marginx: 10, marginy: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width, height });
  for (const { from, to, id } of edges) graph.setEdge(from, to, {}, id);
  layout(graph);
  return nodes.map((node) => {
    const { x, y } = graph.node(node.id) as { x: number; y: number };
    return {
      id: node.id,
      type: 'thing',
      data: { node },
      position: { x: x - width / 2, y: y - height / 2 },
      width,
      height,
      ariaLabel: `${node.kind} ${node.title}`,
    };
  });
};

const chosenOf = (changes: readonly (NodeChange<Drawn> | EdgeChange)[]): string | undefined =>
  changes.flatMap((change) => (change.type === 'select' && change.selected ? [change.id] : []))[0];

export const PathGraph = ({
  picture,
  chosen,
  onNode,
  onEdge,
}: {
  readonly picture: Picture;
  /** Id of the edge that is told of. */
  readonly chosen: string | undefined;
  readonly onNode: (node: PictureNode) => void;
  readonly onEdge: (edge: PictureEdge) => void;
}) => {
  const scheme = useComputedColorScheme();
  const nodes = useMemo(() => laidOut(picture), [picture]);
  const edges = picture.edges.map(
    (edge): Edge => ({
      id: edge.id,
      source: edge.from,
      target: edge.to,
      label: edge.way === undefined ? edge.label : `fact ${edge.way.fact} · ${legible(edge.way.by)}`,
      ariaLabel: `${edge.from} to ${edge.to}: ${edge.label}`,
      markerEnd: { type: MarkerType.ArrowClosed },
      selected: edge.id === chosen,
      focusable: edge.way !== undefined,
      animated: edge.way?.conditions !== undefined,
      className: edge.way === undefined ? 'plain' : edge.way.conditions === undefined ? 'grant' : 'grant conditional',
    }),
  );
  const rows = Math.max(
    ...Object.values(Object.groupBy(nodes, ({ position: { x } }) => x)).map((each) => each?.length ?? 0),
  );
  return (
    <div className="graph" style={{ height: Math.min(640, Math.max(240, rows * 96 + 60)) }}>
      <ReactFlow
        key={picture.nodes.map(({ id }) => id).join()}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={scheme}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
        minZoom={0.2}
        nodesDraggable={false}
        nodesConnectable={false}
        deleteKeyCode={null}
        zoomOnScroll={false}
        preventScrolling={false}
        // Selecting is what a press, Enter and Space do alike.
        onNodesChange={(changes) => {
          const id = chosenOf(changes);
          const node = picture.nodes.find((each) => each.id === id);
          if (node !== undefined) onNode(node);
        }}
        onEdgesChange={(changes) => {
          const id = chosenOf(changes);
          const edge = picture.edges.find((each) => each.id === id);
          if (edge !== undefined) onEdge(edge);
        }}
        aria-label="Ways of access; the same as a list stands below"
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
};
