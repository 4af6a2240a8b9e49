{{- define "isocost.name" -}}
{{- printf "%s-control" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "isocost.data" -}}
{{- default (printf "%s-data" .Release.Name) .Values.data.configMap -}}
{{- end -}}

{{/* The namespace whose Deployments are managed; empty for all of them. */}}
{{- define "isocost.watch" -}}
{{- if not .Values.control.allNamespaces -}}
{{- default .Release.Namespace .Values.control.watchNamespace -}}
{{- end -}}
{{- end -}}

{{- define "isocost.selector" -}}
app.kubernetes.io/name: isocost-control
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "isocost.labels" -}}
{{ include "isocost.selector" . }}
app.kubernetes.io/part-of: isocost
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
